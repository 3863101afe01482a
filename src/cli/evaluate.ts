import { Command } from 'commander';
import type { EvaluateStreams } from './evaluate/input.js';
import { rougeCommand } from './evaluate/rouge.js';
import { sacrebleuCommands } from './evaluate/sacrebleu.js';

/** `polybeam evaluate METRIC`: scores a file of lines against one or several reference files. */
export function evaluateCommand(streams: EvaluateStreams = process): Command {
  const command = new Command('evaluate').description('Score translations and summaries against references.');
  for (const metric of [...sacrebleuCommands(streams), rougeCommand(streams)]) command.addCommand(metric);
  return command;
}
