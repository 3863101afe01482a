// TEMPORARY until ../pretrained/safetensors.ts exists
import type { FileAccess } from '../files.js';
import type { TrainTensor } from './trainStep.js';

export async function writeTensors(
  files: FileAccess,
  path: string,
  tensors: Map<string, TrainTensor>,
): Promise<void> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(0, json.length, true);
  await files.writeAtomic(path, [
    size,
    json,
    ...[...tensors.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

export async function readTensors(files: FileAccess, path: string): Promise<Map<string, TrainTensor>> {
  const bytes = new Uint8Array(await files.read(path));
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return new Map(
    Object.entries(header).map(([name, h]: [string, any]) => [
      name,
      {
        shape: h.shape,
        data: new Float32Array(
          bytes.slice(8 + length + h.data_offsets[0], 8 + length + h.data_offsets[1]).buffer,
        ),
      },
    ]),
  );
}
