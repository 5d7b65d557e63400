/** Callers that ask at a steady pace, over every way in, and judge each answer. */
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import type { MortalUpstream } from './echo.ts';
import { faultOf, questionOf, type Question } from './questions.ts';
import { deathWindow, noteFault, noteLoss, type Watch } from './watch.ts';
import type { World } from './world.ts';

export const callers = 16;
/** Then a caller comes on a new connection: over TLS, with a new handshake. */
const requestsOfConnection = 500;

/** The ports of the gateway. */
export interface Ways {
  readonly port: number;
  readonly httpsPort: number;
}

const speaksHttp2 = (caller: number): boolean => caller % 4 === 1;

/** Half of the callers come plainly, the others over TLS with HTTP/1.1 and with HTTP/2. */
function clientOf(caller: number, { port, httpsPort }: Ways): Client {
  if (caller % 2 === 0) return new Client(`http://127.0.0.1:${port}`);
  const connect = { rejectUnauthorized: false, servername: 'localhost' };
  return new Client(`https://127.0.0.1:${httpsPort}`, { connect, allowH2: speaksHttp2(caller) });
}

export interface Calling extends Ways {
  readonly world: World;
  readonly mortal: MortalUpstream;
  readonly watch: Watch;
  /** Of all callers together; undefined for as many as they can. */
  readonly perSecond: number | undefined;
  readonly signal: AbortSignal;
}

/** Whether a 502 is right: only to a request that may not be sent twice, and only if its upstream died under it. */
function mayBeLost({ path, body }: Question, sentMs: number, { mortal, watch: { part } }: Calling): boolean {
  if (body === undefined) return false;
  const isUnder = mortal.hadUnderWay(path);
  if (!isUnder && !mortal.diedBetween(...deathWindow(sentMs))) return false;
  if (isUnder) part.diedUnder += 1;
  else part.diedOnTheWay += 1;
  return true;
}

async function ask(client: Client, question: Question, calling: Calling): Promise<void> {
  const { path, key, body: sent } = question;
  const sentMs = performance.now();
  try {
    const method = sent === undefined ? 'GET' : 'POST';
    const message = { method, path, headers: { apikey: key }, ...(sent === undefined ? {} : { body: sent }) };
    const { statusCode, body } = await client.request(message);
    const text = await body.text();
    if (statusCode === 502 && mayBeLost(question, sentMs, calling)) return;
    const fault = faultOf(question, statusCode, { text, sentMs });
    if (fault !== undefined) noteFault(calling.watch, fault);
  } catch (error) {
    noteLoss(calling.watch, sentMs, `${path}: ${(error as Error).message}`);
  }
}

/** Waits for its turn. Gives when it should have begun: a caller that is late counts what made it so. */
async function untilDue(dueMs: number): Promise<number> {
  const aheadMs = dueMs - performance.now();
  if (aheadMs <= 0) return dueMs;
  await pause(aheadMs);
  return performance.now();
}

/** Asks until told to stop. */
async function call(caller: number, calling: Calling): Promise<void> {
  const { perSecond, watch, signal } = calling;
  const everyMs = perSecond === undefined ? undefined : (callers * 1_000) / perSecond;
  let client = clientOf(caller, calling);
  let dueMs = performance.now() + ((everyMs ?? 0) * caller) / callers;
  for (let turn = 0; !signal.aborted; turn += 1) {
    const question = questionOf(turn * callers + caller, calling.world);
    const begunMs = everyMs === undefined ? performance.now() : await untilDue(dueMs);
    const { part } = watch;
    await ask(client, question, calling);
    part.requests += 1;
    if (!question.isSlow) part.timesMs.push(performance.now() - begunMs);
    dueMs += everyMs ?? 0;
    if (turn % requestsOfConnection !== requestsOfConnection - 1) continue;
    await client.close();
    client = clientOf(caller, calling);
  }
  await client.close();
}

/** Resolves when all callers have stopped. */
export async function callAll(calling: Calling): Promise<void> {
  await Promise.all(Array.from({ length: callers }, async (_, caller) => call(caller, calling)));
}
