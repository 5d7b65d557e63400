/** A mistake in how the program was called, or something outside it that keeps it from starting. */
export class UsageError extends Error {}
