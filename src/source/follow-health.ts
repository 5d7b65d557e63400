import type { FollowState } from './list-watch.ts';

/** How it stands with all that a source follows. */
export interface SourceHealth {
  /** Everything there is has been delivered at least once. */
  readonly isComplete: boolean;
  /** What is not as it should be, a line each, in words an operator can act on. */
  readonly problems: readonly string[];
}

const remedies = {
  'not installed': 'its CustomResourceDefinition is not installed: kubectl apply --server-side -f crds/',
  forbidden: 'the ServiceAccount lacks a permission',
  interrupted: 'interrupted',
} as const;

/**
 * Sums up how it stands with each followed kind. A kind that is not installed counts as delivered, since there
 * can be no object of it; one that we may not read does not: what it would have closed must not stay open.
 */
export function createFollowHealth(names: readonly string[]) {
  const states = new Map<string, FollowState | undefined>(names.map((name) => [name, undefined]));
  const complete = new Set<string>();

  return {
    /** Takes in what became of a kind; gives whether that is news. */
    note(name: string, state: FollowState): boolean {
      const before = states.get(name);
      states.set(name, state);
      if (state.state === 'following' || state.state === 'not installed') complete.add(name);
      return before?.state !== state.state;
    },

    /** How it stands now. */
    now(): SourceHealth {
      const problems = [...states].flatMap(([name, state]) => {
        if (state === undefined) return complete.has(name) ? [] : [`${name}: not read yet`];
        if (state.state === 'following') return [];
        const detail = 'message' in state ? `: ${state.message}` : '';
        return [`${name}: ${remedies[state.state]}${detail}`];
      });
      return { isComplete: complete.size === states.size, problems };
    },
  };
}
