import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { loadModel } from './loadModel.js';

/*
 * Tiny random checkpoints saved by Python transformers, and what it computes from them
 * (tools/makeModelFixtures.py). Weights are large enough that outputs vary and differ from model to model.
 */

interface Generated {
  name: string;
  options: Record<string, unknown>;
  sequences: number[][];
  sequences_scores?: number[];
}

interface Expected {
  inputs: Record<
    'input_ids' | 'attention_mask' | 'token_type_ids' | 'langs' | 'decoder_input_ids',
    number[][] | undefined
  >;
  forward: Record<string, never>;
  generate?: Generated[];
}

const root = 'test/fixtures/models';
const names = readdirSync(root);

const read = (name: string): Expected => JSON.parse(readFileSync(`${root}/${name}/expected.json`, 'utf8'));

function largestDifference(
  found: readonly number[][],
  wanted: readonly number[][],
  mask: readonly number[],
): number {
  let largest = 0;
  found.forEach((row, position) => {
    if (mask[position] === 0) return;
    row.forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value - wanted[position][index]));
    });
  });
  return largest;
}

const runs = names.flatMap((name) => (['cpu', 'tfjs:cpu'] as const).map((device) => [name, device] as const));

describe.each(runs)('%s on %s', (name, device) => {
  const expected = read(name);
  // The eager reference is slow: it decodes one case.
  const cases = (expected.generate ?? []).filter(({ name: kind }) => device === 'cpu' || kind === 'beam');
  const {
    input_ids: ids,
    attention_mask: mask,
    token_type_ids: types,
    langs,
    decoder_input_ids: decoder,
  } = expected.inputs;

  test('computes what transformers computes, to 1e-4', async () => {
    const model = await loadModel(`${root}/${name}`, { device });
    for (let row = 0; row < ids!.length; row++) {
      const output = await model.forward({
        inputIds: ids![row],
        attentionMask: mask![row],
        tokenTypeIds: types?.[row],
        langs: langs?.[row],
        decoderInputIds: decoder?.[row],
      });
      const {
        last_hidden_state: hidden,
        pooler_output: pooled,
        logits,
      } = expected.forward as Record<string, never>;
      expect(hidden !== undefined || logits !== undefined).toBe(true);
      if (hidden)
        expect(largestDifference(output.lastHiddenState!, hidden[row], mask![row])).toBeLessThan(1e-4);
      if (pooled) expect(largestDifference([output.poolerOutput!], [pooled[row]], [1])).toBeLessThan(1e-4);
      const rows = decoder ? decoder[row].map(() => 1) : mask![row];
      if (logits) expect(largestDifference(output.logits!, logits[row], rows)).toBeLessThan(1e-4);
    }
    await model.dispose();
  });

  test.skipIf(cases.length === 0)('generates what transformers generates', async () => {
    const model = await loadModel(`${root}/${name}`, { device });
    const config = JSON.parse(readFileSync(`${root}/${name}/generation_config.json`, 'utf8'));
    let compared = 0;
    for (const { name: kind, options, sequences, sequences_scores: scores } of cases) {
      // Settings of generation_config.json, and languages: see loadModel.test.ts and languages.test.ts.
      if (kind.startsWith('opus') || kind === 'translate') continue;
      const camel = Object.fromEntries(
        Object.entries(options).map(([key, value]) => [
          key.replace(/_(\w)/g, (_, c) => c.toUpperCase()),
          value,
        ]),
      );
      const inputs = ids!.map((inputIds, row) => ({ inputIds, attentionMask: mask![row] }));
      const outputs = (await model.generate(inputs, camel)).flatMap((output) => output.sequences);
      const { eos_token_id: eos, pad_token_id: pad } = config;
      const wanted = sequences.map((row, index) => {
        if (decoder) return trim(row.slice(1), eos, pad);
        // Decoders alone: transformers pads texts on the left to one length.
        const from = Math.floor((index * ids!.length) / sequences.length);
        const text = ids![from].filter((_, at) => mask![from][at] === 1);
        return [...text, ...trim(row.slice(ids![0].length), eos, pad)];
      });
      expect(
        outputs.map((output) => output.ids),
        kind,
      ).toEqual(wanted);
      scores?.forEach((score, index) => {
        expect(Math.abs(outputs[index].score - score), kind).toBeLessThan(1e-3);
      });
      compared++;
    }
    expect(compared).toBeGreaterThan(device === 'cpu' ? 1 : 0);
    await model.dispose();
  });
});

/** transformers pads after the end token. */
function trim(ids: readonly number[], eos: number, pad: number): number[] {
  const end = ids.indexOf(eos);
  if (end >= 0) return ids.slice(0, end + 1);
  let length = ids.length;
  while (length > 0 && ids[length - 1] === pad) length--;
  return ids.slice(0, length);
}
