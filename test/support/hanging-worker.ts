/** A worker that hangs when it is asked to. */
import './hang-on-request.ts';
await import('#gateway/worker-thread.ts');
