import type { Socket } from 'node:net';

/** A listener that closes its connection; for whoever listens to many, one function for all. */
export function hangUp(this: Socket): void {
  this.destroy();
}
