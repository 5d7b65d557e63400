import type { Target } from '#table/service-entry.ts';

/** The host of a target as it stands before a port: IPv6 in brackets (RFC 3986 section 3.2.2). */
export const hostOfTarget = ({ host }: Pick<Target, 'host'>): string => (host.includes(':') ? `[${host}]` : host);

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const addressOf = (target: Target): string => `${hostOfTarget(target)}:${target.port}`;
