/** The ways in which a picture comes to the page: a file, a drop, a paste, the camera, a sample. */

import chelsea from '../samples/chelsea.png';
import coffee from '../samples/coffee.png';
import rocket from '../samples/rocket.jpg';
import { closeCamera, openCamera } from './camera.ts';
import { element } from './element.ts';

/** The longest side of the picture as it is shown and as its maps are made: what a frame has time for. */
const VIEW_SIDE = 640;
/** Width of a photo that is wished for. */
const PHOTO_WIDTH = 1920;

/** A picture by its file name, decoded. */
export interface NamedBitmap {
  readonly name: string;
  readonly bitmap: ImageBitmap;
  /** Its address, where it is one of the samples. */
  readonly sample?: string;
}

export interface Sample {
  readonly label: string;
  readonly name: string;
  readonly url: string;
}

/** The first is shown when the page opens. */
export const SAMPLES: readonly [Sample, ...Sample[]] = [
  { label: 'Cat', name: 'chelsea.png', url: chelsea },
  { label: 'Coffee', name: 'coffee.png', url: coffee },
  { label: 'Rocket', name: 'rocket.jpg', url: rocket },
];

/** What the page does with what comes in. */
export interface Receiver {
  /** Nothing comes where somebody thought better of it. */
  picture(coming: Promise<NamedBitmap | undefined>): void;
  /** Anything that is not a picture. */
  files(files: readonly File[]): void;
}

export async function openSample({ name, url }: Sample): Promise<NamedBitmap> {
  return { ...(await decode(await (await fetch(url)).blob(), name)), sample: url };
}

/** Marks the sample that is shown, if it is one. */
export function markSample(url: string | undefined): void {
  for (const button of element('samples', HTMLElement).querySelectorAll('button')) {
    button.ariaPressed = String(button.dataset['sample'] === url);
  }
}

export function wirePictures(receiver: Receiver): void {
  const receive = (list: FileList | null | undefined): boolean => {
    const files = [...(list ?? [])];
    const [picture] = files.filter(({ type }) => type.startsWith('image/'));
    if (picture) receiver.picture(decode(picture, picture.name));
    else if (files.length > 0) receiver.files(files);
    return files.length > 0;
  };

  for (const id of ['file', 'weights']) {
    const input = element(id, HTMLInputElement);
    input.addEventListener('change', () => {
      receive(input.files);
      // The same file, chosen again, is a change again.
      input.value = '';
    });
  }
  document.addEventListener('paste', ({ clipboardData }) => receive(clipboardData?.files));
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) document.body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    receive(event.dataTransfer?.files);
  });

  const samples = SAMPLES.map((sample) => {
    const button = document.createElement('button');
    const thumbnail = new Image(72, 48);
    thumbnail.src = sample.url;
    thumbnail.alt = '';
    button.type = 'button';
    button.dataset['sample'] = sample.url;
    button.append(thumbnail, sample.label);
    button.addEventListener('click', () => receiver.picture(openSample(sample)));
    return button;
  });
  element('samples', HTMLElement).replaceChildren(...samples);
  const snap = element('snap', HTMLButtonElement);
  // Pages that are not served by https have no cameras.
  snap.hidden = !navigator.mediaDevices;
  snap.addEventListener('click', () => receiver.picture(takePhoto()));
}

/** As it is to be looked at: turned as its EXIF says. */
async function decode(blob: Blob, name: string): Promise<NamedBitmap> {
  try {
    return { name, bitmap: await createImageBitmap(blob, { imageOrientation: 'from-image' }) };
  } catch (cause) {
    throw new Error(`${name}: this browser cannot read it as a picture.`, { cause });
  }
}

/** A frame of the camera, none where the dialog is left without. */
async function takePhoto(): Promise<NamedBitmap | undefined> {
  const dialog = element('camera', HTMLDialogElement);
  const video = dialog.querySelector('video')!;
  video.srcObject = await openCamera(PHOTO_WIDTH);
  try {
    dialog.returnValue = '';
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
    if (dialog.returnValue !== 'take') return undefined;
    return { name: 'photo', bitmap: await createImageBitmap(video) };
  } finally {
    closeCamera(video);
  }
}

/** The picture as it is shown. */
export function reducedPixels(bitmap: ImageBitmap): ImageData {
  const scale = Math.min(1, VIEW_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
