import { enableCompileCache } from 'node:module';

// Compiled code is kept between starts: the first request is served in a fraction of the time.
enableCompileCache();

const { runCommandLine } = await import('./commands/command-line.ts');
process.exitCode = await runCommandLine(process.argv.slice(2));
