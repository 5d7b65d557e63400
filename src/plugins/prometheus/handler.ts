import type { PluginHandler } from '#plugins/plugin.ts';

/** Requests are counted with or without it (docs/metrics.md); it is there for those who bring it from Kong. */
export const prometheusHandler: PluginHandler = {
  name: 'prometheus',
  isIndifferent: true,
  access: () => undefined,
};
