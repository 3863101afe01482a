/** Where the stages of a run leave what they make. */
export interface Places {
  vocabulary: string;
  ngrams(language: string): string;
  vectors(language: string): string;
  /** Mapped vectors of one language of a pair, and the mapping's report. */
  mapped(pair: LanguagePair, language: string): string;
  report(pair: LanguagePair): string;
  table(from: string, to: string): string;
  pretrained: string;
  translation: string;
  /** What has been made, and with what settings. */
  record: string;
}

/** Two languages, in the order of the configuration. */
export type LanguagePair = readonly [string, string];

/** Places under the directory of a run. */
export function placesOf(output: string): Places {
  return {
    vocabulary: `${output}/vocabulary`,
    ngrams: (language) => `${output}/vectors/${language}.ngrams.tsv`,
    vectors: (language) => `${output}/vectors/${language}.vec`,
    mapped: ([one, other], language) => `${output}/mapped/${one}-${other}.${language}.vec`,
    report: ([one, other]) => `${output}/mapped/${one}-${other}.json`,
    table: (from, to) => `${output}/tables/${from}-${to}.tsv`,
    pretrained: `${output}/pretrained`,
    translation: `${output}/translation`,
    record: `${output}/stages.json`,
  };
}

/** Every two of the languages. */
export function pairsOf(languages: readonly string[]): LanguagePair[] {
  return languages.flatMap((one, at) => languages.slice(at + 1).map((other) => [one, other] as const));
}
