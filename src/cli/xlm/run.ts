import { Command } from 'commander';
import { fileAccess } from '../../files.js';
import { Interrupted } from '../interrupted.js';
import { type CommandStreams, warn } from '../streams.js';
import { interruptSignal } from '../train.js';

/** `polybeam xlm run`: all stages from texts to a translation model. */
export function runCommand(streams: CommandStreams = process): Command {
  return new Command('run')
    .description(
      'Run all stages from texts in several languages to a translation model, configured by a YAML file. Ctrl-C saves the current ' +
        'work and stops; the same command resumes.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm run en-fr.yaml
  $ polybeam translate --model runs/en-fr/translation/model --from en --to fr "A man walks his dog."

A small configuration:
  output: runs/en-fr
  data:
    train: { en: mono.en.gz, fr: mono.fr.gz }
    validation: { en: held-out.en, fr: held-out.fr }
  vocabulary: { size: 8000 }
  pretrain: { objectives: { type: mlm }, model: { preset: tiny }, budget: { maxMinutes: 30 } }
  train: { budget: { maxMinutes: 60 } }

Every key is described in docs/reference/xlm-run-config.md.`,
    )
    .action((path: string) => run(path, streams));
}

async function run(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parseXlmRunConfigText } = await import('../../xlm/run/config.js');
  const config = parseXlmRunConfigText(text, path);
  await import('../../node/install.js');
  const { runXlm } = await import('../../xlm/run/run.js');
  const interrupt = interruptSignal();
  const { stderr } = streams;
  const result = await runXlm(config, {
    signal: interrupt.signal,
    output: {
      write: (part) => stderr.write(part),
      isTerminal: stderr.isTTY ?? false,
      columns: stderr.columns,
    },
    onWarning: (message) => warn(streams, message),
  }).finally(interrupt.release);
  if (result.interrupted) throw new Interrupted('interrupted; the same command goes on from there.');
  streams.stdout.write(`${result.modelDirectory ?? config.output}\n`);
}
