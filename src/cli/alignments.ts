import { type Command, Option } from 'commander';
import { PolybeamError } from '../errors.js';
import { pharaoh, type WordAlignment } from '../pretrained/alignment.js';

/** What `--alignments` takes: links of words, or weights of each word over those of the source. */
export type AlignmentForm = 'hard' | 'soft';

const forms: readonly string[] = ['hard', 'soft'] satisfies AlignmentForm[];

/** Gives a command the flag `--alignments`. @param where what of a line the alignment follows */
export function addAlignmentsFlag(command: Command, where: string): Command {
  const description =
    `after ${where} and a tab, which words of the source its words come from, by attention: hard is source-target pairs ` +
    'such as "0-0 1-2", soft the weights over the source for each target word, joined by commas';
  return command.addOption(new Option(`--alignments <hard|soft>`, description).argParser(readForm));
}

function readForm(text: string): AlignmentForm {
  if (forms.includes(text)) return text as AlignmentForm;
  throw new PolybeamError('OPTION_INVALID', `--alignments cannot be "${text}": use hard or soft.`);
}

/** An alignment as text; weights have three decimals. */
export function formatAlignment({ alignment, attention }: WordAlignment, form: AlignmentForm): string {
  if (form === 'hard') return pharaoh(alignment);
  return attention.map((row) => row.map((weight) => String(Number(weight.toFixed(3)))).join(',')).join(' ');
}
