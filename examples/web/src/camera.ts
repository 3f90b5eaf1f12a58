/** The camera, and in words why there is none. */

/** What the browser calls it, and what that means to people. */
const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The camera may not be used: allow it for this page in the browser, then try again.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'The camera cannot be read: another program may be using it.',
};

/** Opens the camera that looks away from the user, if there are two. @param width that is wished for, in pixels */
export async function openCamera(width: number): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new Error(
      'Cameras need a page from https, or from this machine: this one is from neither.',
    );
  }
  try {
    const video = { facingMode: 'environment', width: { ideal: width } };
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : '';
    throw new Error(REASONS[name] ?? `The camera cannot be used: ${name}.`, { cause });
  }
}

/** Gives the camera back: its light goes out. */
export function closeCamera(video: HTMLVideoElement): void {
  const stream = video.srcObject;
  video.srcObject = null;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
}
