/** What happens to text before it is split; the same steps are written into tokenizer.json. */
export interface NormalizationOptions {
  unicode: 'none' | 'nfc' | 'nfkc';
  lowercase: boolean;
  stripAccents: boolean;
  /** Every run of white space becomes one space, and none is left at the ends. */
  collapseSpaces: boolean;
}

/** One step of a tokenizer.json pipeline: a `type` and its settings. */
export type PipelineStep = { type: string } & Record<string, unknown>;

/** The function that does what `normalizerJson` describes. */
export function makeNormalizer(options: NormalizationOptions): (text: string) => string {
  const steps: ((text: string) => string)[] = [];
  const form = ({ none: undefined, nfc: 'NFC', nfkc: 'NFKC' } as const)[options.unicode];
  if (form) steps.push((text) => normalizeUnicode(text, form));
  if (options.lowercase) steps.push(lowerCase);
  if (options.stripAccents) steps.push((text) => normalizeUnicode(stripAccents(text, 'all'), 'NFC'));
  if (options.collapseSpaces) steps.push(collapseSpaces);
  return (text) => {
    let result = text;
    for (const step of steps) result = step(result);
    return result;
  };
}

/** The `normalizer` of a tokenizer.json, or null where nothing is to be done. */
export function normalizerJson(options: NormalizationOptions): PipelineStep | null {
  const steps: PipelineStep[] = [];
  if (options.unicode !== 'none') steps.push({ type: options.unicode.toUpperCase() });
  if (options.lowercase) steps.push({ type: 'Lowercase' });
  if (options.stripAccents) steps.push({ type: 'NFD' }, { type: 'StripAccents' }, { type: 'NFC' });
  if (options.collapseSpaces) {
    steps.push({ type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' });
    steps.push({ type: 'Strip', strip_left: true, strip_right: true });
  }
  return steps.length > 1 ? { type: 'Sequence', normalizers: steps } : (steps[0] ?? null);
}

/**
 * Lower case, character by character: unlike `toLowerCase()` a capital sigma at a word's end becomes σ, as in the
 * tools that read our tokenizer files.
 */
export function lowerCase(text: string): string {
  return text.includes('Σ') ? text.split('Σ').map(toLower).join('σ') : toLower(text);
}

function toLower(text: string): string {
  return text.toLowerCase();
}

// Combining marks, and the two characters that NFKC makes marks of.
const manyMarks = /[\p{M}\uFF9E\uFF9F]{31}/u;
const untilManyMarks = /.*?[\p{M}\uFF9E\uFF9F]{30}|.+$/gsu;

/**
 * `text.normalize(form)` in linear time. ICU sorts the marks of one character by insertion, so that 160,000 of them take
 * seconds. More than 30 marks are therefore normalized 30 at a time, as the Stream-Safe Text Format does (UAX #15).
 */
function normalizeUnicode(text: string, form: 'NFC' | 'NFD' | 'NFKC'): string {
  if (!manyMarks.test(text)) return text.normalize(form);
  const parts = text.match(untilManyMarks) ?? [];
  return parts.map((part) => part.normalize(form)).join('');
}

/**
 * Decomposes (NFD) and drops combining marks: 'nonspacing' ones as BERT does, or 'all' as the StripAccents step of
 * tokenizer.json.
 */
export function stripAccents(text: string, marks: 'nonspacing' | 'all'): string {
  return normalizeUnicode(text, 'NFD').replace(marks === 'all' ? /\p{M}+/gu : /\p{Mn}+/gu, '');
}

/** Every run of white space becomes one space, and none is left at the ends. */
export function collapseSpaces(text: string): string {
  return text.replace(/\p{White_Space}+/gu, ' ').replace(/^ | $/g, '');
}
