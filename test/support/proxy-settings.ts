import { Command } from 'commander';
import { proxyOptions, proxySettingsOf, type ProxyOptions } from '#commands/proxy-options.ts';
import type { ProxySettings } from '#gateway/proxy-settings.ts';

/** The settings that flags come to: as a user has them who states none, or these. */
export function proxySettings(flags: readonly string[] = []): ProxySettings {
  const command = new Command();
  for (const option of proxyOptions()) command.addOption(option);
  return proxySettingsOf(command.parse(flags, { from: 'user' }).opts<ProxyOptions>());
}
