import type { Exchange, PluginContext, Refusal } from './plugin.ts';

/**
 * What a failed check comes to when there is an anonymous consumer (kong-facts 1.7): the request is let in as
 * that consumer, without a credential, so that a later plugin still tries.
 */
export function orAnonymous(
  run: { readonly anonymous: string | undefined; readonly exchange: Exchange; readonly context: PluginContext },
  refusal: Refusal | undefined,
): Refusal | undefined {
  const { anonymous, exchange, context } = run;
  if (refusal === undefined || anonymous === undefined) return refusal;
  const consumer = Object.hasOwn(context.consumers, anonymous) ? context.consumers[anonymous] : undefined;
  if (consumer === undefined) {
    const message = `anonymous consumer ${anonymous} is configured but doesn't exist`;
    return { status: 500, message, outcome: 'anonymous-missing' };
  }
  exchange.setIdentity({ consumer });
  return undefined;
}
