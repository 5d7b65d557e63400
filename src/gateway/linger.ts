/** Who is answered before all that it says was read has this long to come to an end; nginx's lingering_timeout. */
export const lingerMs = 5_000;
