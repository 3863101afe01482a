import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { fileAccess } from '../files.js';
import { maskedCrc32c } from './crc32c.js';
import { loadModel } from './loadModel.js';
import { readModelDirectory } from './modelDirectory.js';
import { readPytorchBin } from './pytorchBin.js';
import { convertModel } from './saveModel.js';
import { openTensorflowBert } from './tensorflowBert.js';

/* Files of others that were made or damaged so that reading them takes all memory, never ends, or fails without a code. */

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'polybeam-damaged-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
/** A copy of a fixture with some files changed. */
function copyOf(fixture: string, files: Record<string, string | Uint8Array> = {}): string {
  const directory = join(root, String(made++));
  cpSync(`test/fixtures/${fixture}`, directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

/** A copy of a model whose config.json has other values. */
function configured(model: string, values: Record<string, unknown>): string {
  const config = JSON.parse(readFileSync(`test/fixtures/models/${model}/config.json`, 'utf8'));
  return copyOf(`models/${model}`, { 'config.json': JSON.stringify({ ...config, ...values }) });
}

/** Loads a model and uses it once. */
async function use(directory: string, ids = [5, 9, 12]): Promise<void> {
  const model = await loadModel(directory, { threads: 1, cache: false });
  try {
    await model.generate([{ inputIds: ids }], { maxNewTokens: 2 });
  } finally {
    await model.dispose();
  }
}

const pointer =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';

describe('a Git LFS pointer', () => {
  test.each([
    ['models/marian', 'model.safetensors'],
    ['models/marian-bin', 'pytorch_model.bin'],
    ['models/marian-sharded', 'model.safetensors.index.json'],
    ['models/marian-sharded', 'model-00002-of-00003.safetensors'],
    ['models/marian', 'config.json'],
    ['models/marian', 'tokenizer.json'],
  ])('in %s as %s is told from damage', async (fixture, name) => {
    const directory = copyOf(fixture, { [name]: pointer });
    await expect(loadModel(directory)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: `${directory}/${name} is a Git LFS pointer, not the file itself: run git lfs pull in its repository, or download the file.`,
    });
  });

  test('among files that are not read is no matter', async () => {
    await use(copyOf('models/marian', { 'tf_model.h5': pointer }));
  });
});

describe('numbers of config.json', () => {
  test.each([
    [
      'marian',
      { decoder_attention_heads: 3 },
      'decoder_attention_heads is 3 (d_model, 16, is not a multiple of it)',
    ],
    ['bart', { encoder_attention_heads: 5 }, 'encoder_attention_heads is 5'],
    ['gpt2', { n_head: 3 }, 'n_head is 3 (n_embd, 16,'],
    ['bert', { num_attention_heads: 3 }, 'num_attention_heads is 3 (hidden_size, 16,'],
    ['unilm', { num_attention_heads: 3 }, 'num_attention_heads is 3'],
    ['roformer', { num_attention_heads: 3 }, 'num_attention_heads is 3'],
    ['xlm-roberta', { num_attention_heads: 3 }, 'num_attention_heads is 3'],
    ['marian', { encoder_layers: 1e9 }, 'encoder_layers is 1000000000, but no model has more than 10000'],
    ['marian', { decoder_layers: 5000 }, 'decoder_layers is 5000, but there are'],
    ['gpt2', { n_layer: 1e9 }, 'n_layer is 1000000000, but no model'],
    ['marian', { max_position_embeddings: 2e7 }, 'A table of 20000000 positions of 16 features is too large'],
    [
      'marian',
      { pad_token_id: 1e6 },
      'generation_config.json: pad_token_id (or what stands in for it) is 1000000',
    ],
  ])('of %s: %j', async (model, values, message) => {
    const directory = configured(model, values);
    if ('pad_token_id' in values)
      writeFileSync(
        join(directory, 'generation_config.json'),
        '{"decoder_start_token_id":1,"pad_token_id":1000000}',
      );
    await expect(use(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('of one side of an encoder-decoder', async () => {
    const path = 'test/fixtures/models/encoder-decoder/config.json';
    const { decoder } = JSON.parse(readFileSync(path, 'utf8'));
    const directory = configured('encoder-decoder', { decoder: { ...decoder, num_hidden_layers: 1e9 } });
    await expect(readModelDirectory(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('(decoder): num_hidden_layers is 1000000000'),
    });
  });
});

describe('what is no file', () => {
  test('a device, a pipe and a directory as config.json are refused', async () => {
    for (const target of ['/dev/zero', '/dev/null', root]) {
      const directory = copyOf('models/marian');
      rmSync(join(directory, 'config.json'));
      symlinkSync(target, join(directory, 'config.json'));
      await expect(loadModel(directory), target).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        message: `${directory}/config.json is no file; check the path.`,
      });
    }
    await expect(fileAccess().read('/dev/zero')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: '/dev/zero is a device, not a file; check the path.',
    });
  });

  test('a loop of links is refused by name', async () => {
    const directory = copyOf('models/marian');
    rmSync(join(directory, 'model.safetensors'));
    symlinkSync('model.safetensors', join(directory, 'model.safetensors'));
    await expect(loadModel(directory)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('model.safetensors cannot be read (ELOOP'),
    });
    symlinkSync('loop', join(root, 'loop'));
    await expect(loadModel(join(root, 'loop'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('a link that leaves the directory', () => {
  test('is not followed by convert', async () => {
    const secret = join(root, 'secret');
    writeFileSync(secret, 'do not copy');
    for (const name of ['notes.txt', 'vocab.txt', 'generation_config.json']) {
      const directory = copyOf('models/marian');
      rmSync(join(directory, name), { force: true });
      symlinkSync(secret, join(directory, name));
      await expect(convertModel(directory, join(root, 'out'), 'float16'), name).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          new RegExp(`${name} is a link to .*/secret, outside of the directory`),
        ),
      });
    }
  });

  test("is followed within Hugging Face's cache, and within the directory", async () => {
    const cache = join(root, 'models--a--b');
    mkdirSync(join(cache, 'blobs'), { recursive: true });
    mkdirSync(join(cache, 'snapshots/abc'), { recursive: true });
    for (const name of ['config.json', 'generation_config.json', 'model.safetensors']) {
      cpSync(`test/fixtures/models/marian/${name}`, join(cache, 'blobs', name));
      symlinkSync(`../../blobs/${name}`, join(cache, 'snapshots/abc', name));
    }
    writeFileSync(join(cache, 'snapshots/abc/a.txt'), 'a');
    symlinkSync('a.txt', join(cache, 'snapshots/abc/b.txt'));
    await convertModel(join(cache, 'snapshots/abc'), join(root, 'converted'), 'float16');
    expect(readFileSync(join(root, 'converted/b.txt'), 'utf8')).toBe('a');
  });
});

/** A legacy pytorch_model.bin of one tensor `w` over a storage of one float32, by the opcodes of Python's pickletools. */
function tensorFile(shape: readonly number[], stride: readonly number[], key = 'X\x01\0\0\0w'): Uint8Array {
  const int = (value: number) => {
    const bytes = Buffer.alloc(5);
    bytes.write('J');
    bytes.writeInt32LE(value, 1);
    return bytes.toString('latin1');
  };
  const word = (text: string) => `X${String.fromCharCode(text.length)}\0\0\0${text}`;
  const tuple = (items: readonly number[]) => `(${items.map(int).join('')}t`;
  const storage = `(${word('storage')}ctorch\nFloatStorage\n${word('0')}${word('cpu')}${int(1)}tQ`;
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(0)}${tuple(shape)}${tuple(stride)}tR`;
  const magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  const pickles = [
    '\x80\x02M\xe9\x03.',
    '\x80\x02}.',
    `\x80\x02}${key}${tensor}s.`,
    `\x80\x02](${word('0')}e.`,
  ];
  const element = Buffer.alloc(12);
  element.writeUInt8(1);
  return Buffer.concat([Uint8Array.from(magic), Buffer.from(pickles.join(''), 'latin1'), element]);
}

describe('a pickle', () => {
  const read = (bytes: Uint8Array) => {
    const path = join(root, 'pytorch_model.bin');
    writeFileSync(path, bytes);
    return readPytorchBin(path);
  };

  test('with strides of 0 may repeat few numbers, and not fill the memory', async () => {
    const small = (await read(tensorFile([2, 3], [0, 0]))).get('w')!;
    expect([small.shape, small.data]).toEqual([[2, 3], { kind: 'memory', data: new Uint8Array(24) }]);
    const large = tensorFile([50_000, 50_000], [0, 0]);
    expect(large.length).toBeLessThan(435);
    await expect(read(large)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('w [50000, 50000] repeats the numbers of its storage'),
    });
  });

  test('of lists that hold each other twice, thirty deep, is refused and not written out', async () => {
    // Each list holds the one before it twice: as text it would be a billion commas.
    const nested = `]q\0${Array.from({ length: 30 }, (_, at) => `](h${String.fromCharCode(at)}h${String.fromCharCode(at)}eq${String.fromCharCode(at + 1)}`).join('')}`;
    const bytes = tensorFile([1], [1], nested);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});

test('an index of TensorFlow whose entries are no protocol buffers is refused, whatever byte of them changed', async () => {
  const index = readFileSync('test/fixtures/pretrained/tensorflow-bert/bert_model.ckpt.index');
  let end = 4;
  const crc = () => maskedCrc32c(index.subarray(0, end + 1));
  while (index[end] !== 0 || index.readUInt32LE(end + 1) !== crc()) end++;
  const directory = copyOf('pretrained/tensorflow-bert');
  for (let at = 0; at < end; at += 7) {
    const damaged = Buffer.from(index);
    damaged[at] ^= 0xff;
    damaged.writeUInt32LE(maskedCrc32c(damaged.subarray(0, end + 1)), end + 1);
    writeFileSync(join(directory, 'bert_model.ckpt.index'), damaged);
    const outcome = await openTensorflowBert(directory).then(
      () => 'read',
      (error) => error.code ?? error,
    );
    expect(
      ['read', 'FILE_CORRUPT', 'FILE_NOT_FOUND', 'WEIGHT_DTYPE', 'WEIGHT_MISSING'],
      `byte ${at}`,
    ).toContain(outcome);
  }
});
