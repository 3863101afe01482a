import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../test/support/engine/runtime.js';
import { PolybeamError } from '../errors.js';
import { nodeDevices } from '../node/devices.js';
import { compile } from './compile.js';
import { listDevices, speedCheck } from './devices.js';
import { encodeModel } from './onnxModel.js';
import { setDeviceHost, setRuntime } from './runtime.js';
import { traceFunction } from './traceFunction.js';

afterEach(() => setDeviceHost({}));

describe('listDevices', () => {
  it('tries every device and says how to get what is missing', async () => {
    setDeviceHost({
      tryWebgpu: () => Promise.reject(new Error('no WebGPU adapter (No supported adapters)')),
      loadTfjsBackend: () => Promise.reject(new PolybeamError('DEVICE_UNAVAILABLE', 'is not installed')),
    });
    const devices = await listDevices();
    expect(devices.map(({ name, available }) => [name, available])).toEqual([
      ['cpu', true],
      ['webgpu', false],
      ['cuda', false],
      ['tfjs:cpu', true],
      ['tfjs:tensorflow', false],
    ]);
    expect(devices[0].version).toMatch(/^onnxruntime \d+\.\d+/);
    expect(devices[1]).toMatchObject({ detail: 'no WebGPU adapter (No supported adapters)' });
    expect(devices[2]).toMatchObject({ detail: expect.stringContaining('cuda cannot be used here') });
    expect(devices[3].version).toMatch(/^tfjs 4/);
    for (const { available, howToGet } of devices) expect(howToGet !== undefined).toBe(!available);
  });

  it('believes a device only where the result is right', async () => {
    tf.registerBackend('wrong', tf.findBackendFactory('cpu'));
    tf.copyRegisteredKernels('cpu', 'wrong');
    tf.unregisterKernel('Relu', 'wrong');
    tf.registerKernel({ ...tf.getKernel('Identity', 'cpu'), kernelName: 'Relu', backendName: 'wrong' });
    expect((await listDevices()).map(({ name }) => name)).not.toContain('tfjs:wrong');
    tf.removeBackend('wrong');
  });

  it('tries WebGPU with a program that computes', async () => {
    let model: Uint8Array | undefined;
    setDeviceHost({
      tryWebgpu: async (given) => {
        model = given;
        return 'a GPU';
      },
    });
    const webgpu = (await listDevices()).find(({ name }) => name === 'webgpu');
    expect(webgpu).toMatchObject({
      available: true,
      detail: expect.stringMatching(/^runs programs by ONNX Runtime on a GPU, through /),
    });
    expect(model?.length).toBeGreaterThan(50);
  });
});

describe('compile', () => {
  afterEach(() => setRuntime(nodeRuntime, { mapsFiles: true }));

  it('says in words that there is no adapter, and passes other errors on', async () => {
    const failing = (message: string) => {
      const InferenceSession = { create: () => Promise.reject(new Error(message)) };
      setRuntime({ ...nodeRuntime, InferenceSession });
      return compile(
        ({ x }) => ({ y: tf.neg(x) }),
        { x: { type: 'float32', shape: [1] } },
        { device: 'webgpu' },
      );
    };
    await expect(
      failing('webgpu_context.cc:136 Failed to get a WebGPU adapter: No supported adapters'),
    ).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message:
        'The device webgpu cannot be used here (No supported adapters); npx polybeam doctor says how to get it.',
    });
    await expect(failing('out of memory')).rejects.toThrow('out of memory');
  });
});

it('compile refuses cuda in words where its provider is missing', async () => {
  const compiled = compile(
    ({ x }) => ({ y: tf.neg(x) }),
    { x: { type: 'float32', shape: [1] } },
    { device: 'cuda' },
  );
  await expect(compiled).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: expect.stringMatching(
      /^The device cuda cannot be used here \(.+\); npx polybeam doctor says how/,
    ),
  });
});

describe('devices of Node', () => {
  it('report a broken model on WebGPU as a reason, and do not end the process', async () => {
    await expect(nodeDevices.tryWebgpu!(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
    });
  });

  it('do not take a wrong result for a device', async () => {
    const { graph } = traceFunction(({ x }) => ({ y: tf.neg(x) }), {
      x: { type: 'float32', shape: ['rows', 2] },
    });
    await expect(nodeDevices.tryWebgpu!(encodeModel(graph, new Map()))).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
    });
  });

  it('name the package of a tfjs backend that is missing', async () => {
    setDeviceHost(nodeDevices);
    const fn = compile(
      ({ x }) => ({ y: x }),
      { x: { type: 'float32', shape: [1] } },
      { device: 'tfjs:abacus' },
    );
    await expect(fn).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining('"abacus" is not registered'),
    });
  });
});

describe('speedCheck', () => {
  it('measures products and a layer', async () => {
    const { gigaflops, layerMilliseconds } = await speedCheck('cpu');
    expect(gigaflops).toBeGreaterThan(0);
    expect(layerMilliseconds).toBeGreaterThan(0);
  });

  it('leaves out the layer where it would take too long', async () => {
    const { gigaflops, layerMilliseconds } = await speedCheck('tfjs:cpu', 1e-9);
    expect(gigaflops).toBeGreaterThan(0);
    expect(layerMilliseconds).toBeUndefined();
  });
});
