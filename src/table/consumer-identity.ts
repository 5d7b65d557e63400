/** Who a caller is, as the identity headers tell an upstream. */
export interface ConsumerIdentity {
  readonly id: string;
  readonly username?: string;
  readonly customId?: string;
}
