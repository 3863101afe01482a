import { Command } from 'commander';
import type { CommandStreams } from './streams.js';
import { accuracyCommand } from './xlm/accuracy.js';
import { mapCommand } from './xlm/map.js';
import { neighborsCommand } from './xlm/neighbors.js';
import { ngramsCommand } from './xlm/ngrams.js';
import { xlmPretrainCommand } from './xlm/pretrain.js';
import { runCommand } from './xlm/run.js';
import { tableCommand } from './xlm/table.js';
import { trainCommand } from './xlm/train.js';
import { vectorsCommand } from './xlm/vectors.js';
import { vocabularyCommand } from './xlm/vocabulary.js';

/** `polybeam xlm STAGE`: the stages of cross-lingual pre-training and unsupervised translation. */
export function xlmCommand(streams: CommandStreams = process): Command {
  const command = new Command('xlm').description(
    'Cross-lingual pre-training and unsupervised translation, stage by stage.',
  );
  const stages = [
    runCommand,
    vocabularyCommand,
    xlmPretrainCommand,
    ngramsCommand,
    vectorsCommand,
    neighborsCommand,
    mapCommand,
    tableCommand,
    accuracyCommand,
    trainCommand,
  ];
  for (const stage of stages) command.addCommand(stage(streams));
  return command;
}
