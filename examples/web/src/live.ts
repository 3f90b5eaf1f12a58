/**
 * Live: the camera, frame by frame. One frame at a time is with the worker; those that come meanwhile are dropped, so
 * that what is shown is never older than one frame. While the page is hidden nothing runs.
 *
 *   camera ─▶ newest frame ─▶ worker: stream of fastcam/stream ─▶ picture, overlay, LOVI, numbers
 */

import { closeCamera, openCamera } from './camera.ts';
import { element } from './element.ts';
import type { LivePictures, LiveResult, LiveSettings, Network } from './network.ts';

/** What the page gives and is told. */
export interface LiveHooks {
  readonly network: Pick<Network, 'frame'>;
  readonly settings: () => Omit<LiveSettings, 'isRunning'>;
  /** Names of the classes. */
  readonly labels: () => readonly string[];
  /** Runs it, and tells its errors. */
  readonly attempt: (action: () => Promise<void>) => void;
}

/** Width of the camera's pictures that is wished for: they are reduced anyway. */
const CAMERA_WIDTH = 640;
/** Frames a second are those of this time. */
const RATE_MS = 2000;

const view = element('live-view', HTMLElement);
const main = element('main', HTMLElement);
const startButton = element('live', HTMLButtonElement);
const stopButton = element('stop-live', HTMLButtonElement);
const runningBox = element('live-running', HTMLInputElement);
const video = element('live-video', HTMLVideoElement);
const canvases = {
  picture: element('live-picture', HTMLCanvasElement),
  overlay: element('live-overlay', HTMLCanvasElement),
  lovi: element('live-lovi', HTMLCanvasElement),
};
const texts = {
  top: element('live-class', HTMLElement),
  rate: element('live-rate', HTMLElement),
  frames: element('live-frames', HTMLElement),
  network: element('live-network', HTMLElement),
  saliency: element('live-saliency', HTMLElement),
  stability: element('live-stability', HTMLElement),
};

/** One time that the camera is on. */
interface Session {
  readonly camera: MediaStream;
  /** When the latest frames were shown. */
  readonly times: number[];
  shown: number;
  dropped: number;
  isBusy: boolean;
  /** Of the frame that is shown: their memory goes back to the worker. */
  pictures?: LivePictures | undefined;
}

/** Wires the controls. @returns what stops it, where it runs */
export function wireLive(hooks: LiveHooks): () => void {
  let session: Session | undefined;

  const stop = (): void => {
    if (!session) return;
    session = undefined;
    closeCamera(video);
    arrange(false);
    startButton.focus();
  };
  const start = async (): Promise<void> => {
    startButton.disabled = true;
    try {
      const camera = await openCamera(CAMERA_WIDTH);
      const begun: Session = { camera, times: [], shown: 0, dropped: 0, isBusy: false };
      session = begun;
      video.srcObject = camera;
      for (const track of camera.getTracks()) {
        track.addEventListener('ended', () => {
          fail(begun, new Error('The camera was taken away.'));
        });
      }
      arrange(true);
      stopButton.focus();
      follow(begun);
      video.play().catch((error) => fail(begun, error));
    } finally {
      startButton.disabled = false;
    }
  };
  /** Tells an error. What fails after the end is of no interest any more. */
  const fail = (own: Session, error: unknown): void => {
    if (session !== own) return;
    stop();
    hooks.attempt(() => Promise.reject(error));
  };
  const follow = (own: Session): void => {
    if (session !== own) return;
    whenNext(video, () => follow(own));
    if (document.hidden || video.videoWidth === 0) return;
    if (own.isBusy) own.dropped++;
    else look(own).catch((error) => fail(own, error));
  };
  const look = async (own: Session): Promise<void> => {
    own.isBusy = true;
    try {
      const { statistic, pixels, scaleWeights, colormap, opacity } = hooks.settings();
      const isRunning = runningBox.checked;
      const settings = { statistic, pixels, scaleWeights, colormap, opacity, isRunning };
      const { pictures } = own;
      own.pictures = undefined;
      const bitmap = await createImageBitmap(video);
      const result = await hooks.network.frame(bitmap, settings, pictures);
      if (session !== own) return;
      own.pictures = result;
      show(own, result, hooks.labels());
    } finally {
      own.isBusy = false;
    }
  };

  startButton.addEventListener('click', () => hooks.attempt(start));
  stopButton.addEventListener('click', stop);
  document.addEventListener('visibilitychange', () => {
    const own = session;
    if (!own) return;
    own.times.length = 0;
    if (document.hidden) video.pause();
    else video.play().catch((error) => fail(own, error));
  });
  return stop;
}

/** Puts the live view in the place of the picture's, or the other way round. */
function arrange(isLive: boolean): void {
  view.hidden = !isLive;
  main.hidden = isLive;
  document.body.classList.toggle('filming', isLive);
  startButton.ariaPressed = String(isLive);
  for (const text of Object.values(texts)) text.textContent = '–';
}

/** Calls back for the next frame of the camera; where the browser does not tell, for its own next frame. */
function whenNext(of: HTMLVideoElement, action: () => void): void {
  if ('requestVideoFrameCallback' in of) of.requestVideoFrameCallback(action);
  else requestAnimationFrame(action);
}

function show(session: Session, result: LiveResult, labels: readonly string[]): void {
  const { width, height, ms, top, agreement } = result;
  view.style.setProperty('--ratio', String(width / height));
  for (const [name, canvas] of Object.entries(canvases)) {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pixels = new ImageData(result[name as keyof typeof canvases], width, height);
    canvas.getContext('2d')!.putImageData(pixels, 0, 0);
  }
  const { times } = session;
  const now = performance.now();
  times.push(now);
  while (now - times[0]! > RATE_MS) times.shift();
  session.shown++;
  const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]!) : undefined;
  texts.top.textContent = top
    ? `${labels[top.index]}, ${(100 * top.probability).toFixed(0)} %`
    : 'This network has no classifier.';
  texts.rate.textContent = rate?.toFixed(1) ?? '–';
  texts.frames.textContent = `${session.shown} shown, ${session.dropped} dropped`;
  texts.network.textContent = `${ms.network.toFixed(1)} ms`;
  texts.saliency.textContent = `${(ms.saliency + ms.drawing).toFixed(1)} ms`;
  texts.stability.textContent = agreement
    ? `r ${agreement.correlation.toFixed(3)}, differs by ${agreement.meanDifference.toFixed(3)}`
    : '–';
}
