import type { StatusWriter } from '#pipeline.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { Source } from '#source/source.ts';

/** Where objects come from and what is particular to that: a directory, or a cluster. */
export interface SourceSetup {
  /** The flag that chose it, for messages. */
  readonly flag: string;
  /** It may take a while until all objects have been read. */
  readonly isRemote: boolean;
  openSource(): Promise<Source>;
  makeStatus?(objectOf: (ref: Ref) => KubernetesObject | undefined): StatusWriter;
  /** What is not as it should be with reading the objects, a line each; for readiness. */
  problems(): readonly string[];
  /** Whether the Admin API may write when no flag says so. */
  readonly adminWrites: boolean;
  /** Where the Admin API makes new objects. */
  readonly adminNamespace: string;
}

/** A directory of YAML. */
export function directorySetup(dir: string): SourceSetup {
  return {
    flag: '--dir',
    isRemote: false,
    openSource: async () => {
      const { directorySource } = await import('#source/directory.ts');
      return directorySource(dir);
    },
    problems: () => [],
    adminWrites: true,
    adminNamespace: 'default',
  };
}
