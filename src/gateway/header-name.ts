/** As nearly all spell the fields that the way of a request looks for by name. */
const usual = ['Host', 'Date', 'Via', 'Server', 'Trailer', 'Connection', 'Keep-Alive', 'Content-Length'];

/** The usual spellings, each with that in lower case, by their length. */
const byLength: [spelling: string, lower: string][][] = Array.from({ length: 32 }, () => []);
for (const spelling of usual) byLength[spelling.length]?.push([spelling, spelling.toLowerCase()]);

/** The name of a field in lower case. A usual spelling costs no new string, which V8 is slow to make of part of a text. */
export function lowerName(name: string): string {
  for (const [spelling, lower] of byLength[name.length] ?? []) if (spelling === name) return lower;
  return name.toLowerCase();
}
