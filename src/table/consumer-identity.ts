/**
 * Who a caller is: what the identity headers tell an upstream, and what plugins go by. A credential's record
 * in the shared index has all of it, so that one look-up says everything about the caller.
 */
export interface ConsumerIdentity {
  readonly id: string;
  readonly username?: string;
  readonly customId?: string;
  /** Namespace of the KongConsumer: routes may admit just some. */
  readonly namespace: string;
  /** ACL groups, from Secrets labelled `acl`. Absent for none, like the lists below. */
  readonly groups?: readonly string[];
  /** Whether a Secret that may name a further group cannot be read. */
  readonly groupsAreUnknown?: true;
  /** Names of the KongConsumerGroups that the consumer is in. */
  readonly consumerGroups?: readonly string[];
  /** Keys of the plugins that are attached to the consumer, and run for it on every route. */
  readonly plugins?: readonly string[];
  /** Keys of those that run on the routes alone that they are attached to as well. */
  readonly pairPlugins?: readonly string[];
  /** The same of its consumer groups. */
  readonly groupPlugins?: readonly string[];
  readonly groupPairPlugins?: readonly string[];
}
