import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from '../files.js';
import { createRunLog, type LogRow } from './runLog.js';

const row = (update: number): LogRow => ({
  type: 'update',
  update,
  epoch: 1,
  loss: 2.5,
  negativeLogLikelihood: 2.25,
  learningRate: 0.001,
  gradientNorm: 1.5,
  tokensPerSecond: 1000,
  seconds: update,
});

const validation: LogRow = {
  type: 'validation',
  update: 20,
  epoch: 1,
  score: 31.5,
  best: true,
  values: { bleu: 31.5, loss: 1.25 },
  seconds: 21,
};

describe('createRunLog', () => {
  it('writes a JSON object a line', async () => {
    const files = memoryFiles();
    setFileAccess(files);
    const log = createRunLog('runs/a/log.jsonl');
    await log.append(row(10));
    await log.append(validation);
    const lines = new TextDecoder().decode(files.contents.get('runs/a/log.jsonl')).split('\n');
    expect(lines.slice(0, 2).map((line) => JSON.parse(line))).toEqual([row(10), validation]);
    expect(lines.slice(2)).toEqual(['']);
  });

  it('rewinds to an update, and drops a line that a kill cut short', async () => {
    const files = memoryFiles();
    setFileAccess(files);
    const log = createRunLog('log.jsonl');
    await log.rewind({ update: 5, lastValidation: 0 });
    expect(files.contents.size).toBe(0);
    for (const entry of [row(10), row(20), validation, row(30)]) {
      await log.append(entry);
    }
    await files.append('log.jsonl', '{"type":"update","upd');
    await log.rewind({ update: 20, lastValidation: 20 });
    await log.append(row(30));
    const text = new TextDecoder().decode(files.contents.get('log.jsonl'));
    expect(text).toBe(
      [row(10), row(20), validation, row(30)].map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    );
  });

  it('drops lines that are JSON and no rows', async () => {
    const files = memoryFiles();
    setFileAccess(files);
    const log = createRunLog('log.jsonl');
    await log.append(row(10));
    await files.append('log.jsonl', 'null\n7\n"update"\n');
    await log.rewind({ update: 20, lastValidation: 10 });
    expect(new TextDecoder().decode(files.contents.get('log.jsonl'))).toBe(`${JSON.stringify(row(10))}\n`);
  });

  it('drops a validation that the checkpoint does not know of', async () => {
    const files = memoryFiles();
    setFileAccess(files);
    const log = createRunLog('log.jsonl');
    await log.append(row(20));
    await log.append(validation);
    await log.rewind({ update: 20, lastValidation: 10 });
    expect(new TextDecoder().decode(files.contents.get('log.jsonl'))).toBe(`${JSON.stringify(row(20))}\n`);
  });
});
