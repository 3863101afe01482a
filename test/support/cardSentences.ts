import { parse } from 'yaml';

/** A sentence of a model card: what has to stand in its translation, and what must not. */
export interface CardSentence {
  kind: string;
  source: string;
  /** Regular expressions that must all match the output, in either case. */
  must: string[];
  /** Regular expressions that must not match. */
  mustNot: string[];
}

/** Reads models/NAME/sentences.yaml. */
export function readCardSentences(yaml: string): CardSentence[] {
  const list = parse(yaml) as (Omit<CardSentence, 'mustNot'> & { mustNot?: string[] })[];
  return list.map(({ mustNot = [], ...sentence }) => ({ ...sentence, mustNot }));
}

/** A word boundary that knows letters with accents, which `\b` does not. */
const boundary = '(?:(?<![\\p{L}\\p{N}])(?=[\\p{L}\\p{N}])|(?<=[\\p{L}\\p{N}])(?![\\p{L}\\p{N}]))';

function matches(expression: string, text: string): boolean {
  return new RegExp(expression.replaceAll('\\b', boundary), 'iu').test(text);
}

/** The expressions that an output breaks; none where it is right. */
export function brokenRules({ must, mustNot }: CardSentence, output: string): string[] {
  const text = output.replaceAll('\u2019', "'").replaceAll('\u00a0', ' ');
  return [
    ...must.filter((expression) => !matches(expression, text)).map((expression) => `lacks ${expression}`),
    ...mustNot.filter((expression) => matches(expression, text)).map((expression) => `has ${expression}`),
  ];
}
