import { classAnnotation } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { caLabel, credentialLabel } from '#resources/secret.ts';

/**
 * An object as one text: its values alone, for a million objects of one shape have the rest in common. It takes
 * a third of the memory, and one thing instead of ten for a collector to visit.
 *
 *   {"metadata":{"name":"a","generation":3}}  ──▶  shape {"metadata":{"name":"…","generation":…}}  values a ⏎ 3
 */
export interface PackedObject {
  readonly shape: Shape;
  /** Values as JSON writes them, strings without their quotes, a line each: JSON escapes the ends of lines. */
  readonly values: string;
}

/** The JSON around the values: one piece more than there are values. */
type Shape = readonly string[];

/** Where a value stands in a shape; JSON escapes it wherever a user wrote one. */
const hole = '\u0000';

/** Keys whose value is one of a few texts, which stays in the shape. */
const fewValued = new Set(
  ['apiVersion', 'kind', 'type', 'pathType', 'ingressClassName', credentialLabel, caLabel, classAnnotation].map((key) =>
    JSON.stringify(key),
  ),
);

/** More shapes than objects of ours ever have. Those of odd objects are then forgotten, but by the objects. */
const mostShapes = 1_000;
const shapes = new Map<string, Shape>();

function shapeOf(text: string): Shape {
  const known = shapes.get(text);
  if (known !== undefined) return known;
  if (shapes.size >= mostShapes) shapes.clear();
  const shape = text.split(hole);
  shapes.set(text, shape);
  return shape;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const startsNumber = (code: number): boolean => code === 0x2d || (code >= 0x30 && code <= 0x39);

/** The end of the string that begins at a quote: the next quote that no odd number of backslashes escapes. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
}

const numberText = /[-+.\deE]+/y;

function numberEnd(text: string, at: number): number {
  numberText.lastIndex = at;
  return at + (numberText.exec(text)?.[0].length ?? 1);
}

/** Packs an object that is JSON, as all are but Secrets with hidden values. */
export function packObject(object: KubernetesObject): PackedObject {
  const text = JSON.stringify(object);
  const values: string[] = [];
  let shape = '';
  let shapedTo = 0;
  let isFewValued = false;
  for (let at = 0; at < text.length; at += 1) {
    const isString = text.charCodeAt(at) === quote;
    if (!isString && !startsNumber(text.charCodeAt(at))) continue;
    const end = isString ? stringEnd(text, at) : numberEnd(text, at);
    if (text.charCodeAt(end) === colon) {
      isFewValued = fewValued.has(text.slice(at, end));
    } else if (isFewValued) {
      isFewValued = false;
    } else {
      const quotes = isString ? 1 : 0;
      values.push(text.slice(at + quotes, end - quotes));
      shape += text.slice(shapedTo, at + quotes) + hole;
      shapedTo = end - quotes;
    }
    at = end - 1;
  }
  return { shape: shapeOf(shape + text.slice(shapedTo)), values: values.join('\n') };
}

/** The object again, a new one each time. */
export function unpackObject({ shape, values }: PackedObject): KubernetesObject {
  let text = shape[0] ?? '';
  const list = values.split('\n');
  for (let i = 1; i < shape.length; i += 1) text += (list[i - 1] ?? '') + (shape[i] ?? '');
  return JSON.parse(text) as KubernetesObject;
}
