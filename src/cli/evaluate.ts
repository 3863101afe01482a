import { Command } from 'commander';
import { corpusMetricCommands } from './evaluate/corpusMetrics.js';
import type { EvaluateStreams } from './evaluate/input.js';
import { lexiconCommand } from './evaluate/lexicon.js';
import { reportCommand } from './evaluate/report.js';
import { rougeCommand } from './evaluate/rouge.js';
import { statisticsCommand } from './evaluate/statistics.js';

/** `polybeam evaluate METRIC`: scores what a model made against references. */
export function evaluateCommand(streams: EvaluateStreams = process): Command {
  const command = new Command('evaluate').description(
    'Score translations, summaries and mapped vectors against references.',
  );
  const own = [
    rougeCommand(streams),
    statisticsCommand(streams),
    lexiconCommand(streams),
    reportCommand(streams),
  ];
  for (const metric of [...corpusMetricCommands(streams), ...own]) command.addCommand(metric);
  return command;
}
