import { RE2JS } from 're2js';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Problem } from '#resources/verdict.ts';
import type { HeaderMatch } from '#table/route-entry.ts';
import { annotationField } from './annotations.ts';

const annotationPrefix = 'konghq.com/headers.';
const separatorAnnotation = 'konghq.com/headers-separator';
/** RFC 9110 section 5.1. */
const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What makes a single value a regular expression (kong-facts 2.7). */
const regexMark = '~*';

type Read = HeaderMatch | { readonly fault: string };

function regexMatch(name: string, expression: string): Read {
  try {
    RE2JS.compile(expression);
    return { name, regex: expression };
  } catch (error) {
    return { fault: `is not a regular expression that Latchkey can run in linear time: ${(error as Error).message}` };
  }
}

function headerMatch(name: string, text: string, separator: string): Read {
  if (!fieldName.test(name)) return { fault: 'names no header' };
  // The host has a field of its own, and its order among routes.
  if (name === 'host') return { fault: 'may not be host: hosts stand in the rules' };
  const values = text
    .split(separator)
    .map((value) => value.trim())
    .filter((value) => value !== '');
  const [only] = values;
  if (only === undefined) return { fault: 'expected at least one value' };
  if (values.length === 1 && only.startsWith(regexMark)) return regexMatch(name, only.slice(regexMark.length));
  return { name, values: values.map((value) => value.toLowerCase()) };
}

/**
 * The headers that an Ingress wants of its requests (kong-facts 4.5): all of them, of each one of the values,
 * compared without case. One that cannot be read closes the routes: without it they would take more.
 */
export function routeHeaders(object: KubernetesObject, problems: Problem[]): HeaderMatch[] {
  const annotations = object.metadata.annotations ?? {};
  const separator = annotations[separatorAnnotation] ?? ',';
  return Object.keys(annotations)
    .filter((annotation) => annotation.startsWith(annotationPrefix))
    .sort()
    .flatMap((annotation) => {
      const name = annotation.slice(annotationPrefix.length).toLowerCase();
      const read = headerMatch(name, annotations[annotation] ?? '', separator === '' ? ',' : separator);
      if (!('fault' in read)) return [read];
      const field = annotationField(annotation);
      problems.push({
        reason: 'InvalidAnnotation',
        field,
        message: `${field}: ${read.fault}`,
        effect: 'route answers 503',
      });
      return [];
    });
}
