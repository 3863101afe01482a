import { Option } from 'commander';
import { PolybeamError } from '../../errors.js';
import { requireLanguageCode } from '../../xlm/jointVocabulary.js';
import { parseTextFile, type TextFile } from '../../xlm/texts.js';
import { type CommandStreams, warn } from '../streams.js';

/** Files of texts by language, in the order in which languages were first named. */
export type LanguageFiles = Record<string, TextFile[]>;

/** `--text en=FILE`, which may be repeated for more languages and more files of a language. */
export function textOption(): Option {
  const option = new Option(
    '--text <language=file>',
    'texts of a language, one a line, as en=mono.en.gz; column 2 of a tab-separated file is en=train.tsv:2; repeat for each file',
  );
  return option.argParser((text: string, before?: LanguageFiles) => addText(text, before));
}

/** Warns of bytes that were not UTF-8, once for each file. */
export function invalidTextWarning(streams: CommandStreams): (path: string, lines: number) => void {
  const told = new Set<string>();
  return (path, lines) => {
    if (told.has(path)) return;
    told.add(path);
    warn(streams, `${lines} lines of ${path} were not valid UTF-8; the bad bytes were replaced by U+FFFD.`);
  };
}

function addText(text: string, before: LanguageFiles = {}): LanguageFiles {
  const parts = /^([^=]+)=(.+)$/.exec(text);
  if (!parts) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `--text cannot be "${text}": give a language and its file, such as en=mono.en.gz.`,
    );
  }
  const [, language, file] = parts;
  requireLanguageCode(language);
  return { ...before, [language]: [...(before[language] ?? []), parseTextFile(file)] };
}
