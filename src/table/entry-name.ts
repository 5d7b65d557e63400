/** What the key of an entry names, without its kind: `service:default/a/80` → `default/a/80`. */
export const nameInKey = (key: string): string => key.slice(key.indexOf(':') + 1);
