import { PolybeamError } from '../errors.js';
import { nearestName } from '../generation/nearestName.js';
import type { MarianTokenizer } from '../text/marianTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { RawConfig } from './config.js';

/** What a model translates, as far as its directory says. */
export interface ModelLanguages {
  source?: string;
  /** Target languages; empty where the directory says nothing. */
  targets: readonly string[];
  /** Text that tells the model to write a language, put before the source; for models of several targets. */
  prefixes: ReadonlyMap<string, string>;
}

/** Reads languages from config.json (`polybeam.languages`) and from language tokens such as `>>fr<<`. */
export function readLanguages(config: RawConfig, tokenizer: Tokenizer | undefined): ModelLanguages {
  const told = (config.polybeam as RawConfig | undefined)?.languages as
    | { source: string; target: string }
    | undefined;
  const prefixes =
    (tokenizer as Partial<MarianTokenizer> | undefined)?.languageTokens ?? new Map<string, string>();
  return {
    source: told?.source,
    targets: prefixes.size > 0 ? [...prefixes.keys()].sort() : told ? [told.target] : [],
    prefixes,
  };
}

/**
 * What to put before a source text so that it is translated into `to`.
 * @param to undefined: whatever the model writes by itself
 * @throws LANGUAGE_UNKNOWN
 */
export function languagePrefix(languages: ModelLanguages, to: string | undefined, directory: string): string {
  if (to === undefined) return '';
  if (languages.targets.length === 0) {
    throw new PolybeamError(
      'LANGUAGE_UNKNOWN',
      `${directory} does not say which languages it translates into, so "${to}" cannot be checked; leave out the target language.`,
    );
  }
  if (languages.targets.includes(to)) {
    const token = languages.prefixes.get(to);
    return token === undefined ? '' : `${token} `;
  }
  const near = nearestName(to, languages.targets);
  throw new PolybeamError(
    'LANGUAGE_UNKNOWN',
    `${directory} does not translate into "${to}"; it knows ${languages.targets.join(', ')}${near ? ` (did you mean ${near}?)` : ''}.`,
  );
}
