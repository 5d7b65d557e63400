import manifest from '../../package.json' with { type: 'json' };

/** Version of the program, as package.json states it. */
export const version: string = manifest.version;
