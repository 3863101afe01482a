/**
 * White space, control characters, and what Unicode has no glyph for (zero-width spaces, soft hyphens, byte order marks,
 * variation selectors): the property Default_Ignorable_Code_Point, and the annotation marks that it leaves out.
 */
const unseen = /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]*$/u;

/** Whether a text shows nothing, so that there is nothing to read in it. */
export function isBlank(text: string): boolean {
  return unseen.test(text);
}
