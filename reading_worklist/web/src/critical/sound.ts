/** The alarm of a critical value: three falling pairs of tones, made here so that no file has to be fetched. */

const PAIRS = 3;
const HIGH = 880;
const LOW = 660;
const TONE = 0.16;
const REST = 0.12;
const VOLUME = 0.18;

let context: AudioContext | null = null;

/** Sounds the alarm once. Browsers keep silent before the first click or key on a page; then it is the banner alone. */
export async function soundAlarm(): Promise<void> {
  if (!('AudioContext' in window)) return;
  context ??= new AudioContext();
  if (context.state === 'suspended') {
    try {
      await context.resume();
    } catch {
      return;
    }
  }
  const output = context.createGain();
  output.gain.value = VOLUME;
  output.connect(context.destination);
  let at = context.currentTime;
  for (let pair = 0; pair < PAIRS; pair += 1) {
    for (const frequency of [HIGH, LOW]) {
      const tone = context.createOscillator();
      tone.type = 'sine';
      tone.frequency.value = frequency;
      tone.connect(output);
      tone.start(at);
      tone.stop(at + TONE);
      at += TONE;
    }
    at += REST;
  }
}
