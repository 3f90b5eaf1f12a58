/** The methods of explanation: class activation maps, FastCAM. */

export { CAM_METHODS, type CamMethod, classActivationMap } from './cam.js';
export { type ClassMaps, classMaps, combinedMap, normalizedMap } from './fastcam.js';
