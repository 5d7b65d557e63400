import { loadCredentials, type Credentials } from './kubernetes-credentials.ts';

/**
 * What was read so lately is not read again. A kubeconfig is read by a process of its own, and where an identity is
 * refused for long all who ask would have one after the other made.
 */
const renewalMs = 2_000;

/** Who we are to the API server, for as long as that takes it. */
export interface RenewedCredentials {
  readonly current: Credentials;
  /**
   * A token was rotated, a client certificate renewed: reads them again, once for all who were refused. Gives whether
   * there may be another identity by now.
   *
   * @throws Error as `loadCredentials` does
   */
  renew(refused: Credentials): Promise<boolean>;
}

/** @throws Error as `loadCredentials` does. @param now in milliseconds */
export async function renewedCredentials(
  kubeconfig: string | undefined,
  now: () => number,
): Promise<RenewedCredentials> {
  let current = await loadCredentials(kubeconfig);
  let loadedAtMs = now();
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const { dispatcher } = current;
    current = await loadCredentials(kubeconfig);
    loadedAtMs = now();
    // What is under way on the old connections may finish.
    void dispatcher.close().catch(() => undefined);
  };

  return {
    get current() {
      return current;
    },
    async renew(refused) {
      if (current !== refused) return true;
      if (now() - loadedAtMs < renewalMs) return false;
      await (loading ??= load().finally(() => (loading = undefined)));
      return true;
    },
  };
}
