import { expect, test } from 'vitest';
import { bufferedResponse } from '#gateway/buffered-response.ts';
import type { ResponseListener } from '#gateway/upstream.ts';

/** A listener that writes down what it hears. */
function recorder() {
  const heard: string[] = [];
  const listener: ResponseListener = {
    onHead: (status) => void heard.push(`head ${status}`),
    onData: (chunk) => heard.push(chunk.toString()) > 0,
    onHeadAlone: () => undefined,
    onInterim: () => undefined,
    onEnd: () => void heard.push('end'),
    onFault: (fault) => void heard.push(`fault ${fault}`),
  };
  return { heard, listener };
}

test('nothing is heard of a response before it is whole', () => {
  const { heard, listener } = recorder();
  const buffered = bufferedResponse(listener, 10);
  buffered.onHead(200, 'OK', []);
  buffered.onData(Buffer.from('abc'));
  expect(heard).toEqual([]);
  buffered.onEnd();
  expect(heard).toEqual(['head 200', 'abc', 'end']);
});

test('what is longer than may be held goes on as it comes', () => {
  const { heard, listener } = recorder();
  const buffered = bufferedResponse(listener, 3);
  buffered.onHead(200, 'OK', []);
  buffered.onData(Buffer.from('abc'));
  buffered.onData(Buffer.from('d'));
  expect(heard).toEqual(['head 200', 'abc', 'd']);
  buffered.onData(Buffer.from('e'));
  buffered.onEnd();
  expect(heard).toEqual(['head 200', 'abc', 'd', 'e', 'end']);
});

test('a response that breaks off while it is held is a fault without a head', () => {
  const { heard, listener } = recorder();
  const buffered = bufferedResponse(listener, 10);
  buffered.onHead(200, 'OK', []);
  buffered.onData(Buffer.from('abc'));
  buffered.onFault('closed', new Error('gone'));
  expect(heard).toEqual(['fault closed']);
});
