/** Who is answered before all that it says was read has this long to come to an end; nginx's lingering_timeout. */
export const lingerMs = 5_000;

/** Longer than a request is under way between two machines. */
export const lastWordMs = 1_000;
