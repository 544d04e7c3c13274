import mark from './mark.svg';

/** The sign of the centre. */
export function Mark({ size }: { size: number }) {
  return <img src={mark} width={size} height={size} alt="" className="mark" />;
}
