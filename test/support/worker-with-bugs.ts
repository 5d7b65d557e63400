/** A worker that hangs or dies when it is asked to. */
import './bugs-on-request.ts';
await import('#gateway/worker-thread.ts');
