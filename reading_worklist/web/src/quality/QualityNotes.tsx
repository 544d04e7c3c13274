import type { QualityNote } from '../api/types';
import { Chip } from '../design/Chip';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { adviceOf, detailOf, headlineOf, seriesName } from './words';

/** Findings, one a line, with their series, where they are, and what to do. */
export function QualityNotes({ notes, advise }: { notes: readonly QualityNote[]; advise: boolean }) {
  const standing = notes.filter((note) => note.superseded_at === null);
  const earlier = notes.filter((note) => note.superseded_at !== null);
  const { t } = useLanguage();
  return (
    <>
      {standing.length > 0 && (
        <ul className="quality-notes">
          {standing.map((note) => (
            <Note key={note.id} note={note} advise={advise} />
          ))}
        </ul>
      )}
      {earlier.length > 0 && (
        <details className="quality-earlier">
          <summary>{t('quality.earlier', { n: earlier.length })}</summary>
          <ul className="quality-notes">
            {earlier.map((note) => (
              <Note key={note.id} note={note} advise={false} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Note({ note, advise }: { note: QualityNote; advise: boolean }) {
  const { t, language } = useLanguage();
  const detail = detailOf(language, note);
  const advice = advise ? adviceOf(language, note.code) : null;
  const over = note.superseded_at !== null;
  return (
    <li className={over ? 'quality-over' : undefined} title={formatDateTime(note.found_at)}>
      <Chip tone={over ? 'slate' : note.severity === 'warning' ? 'amber' : 'blue'} hollow={over}>
        {t(`quality.severity.${note.severity}`)}
      </Chip>
      <div>
        <span className="strong">{headlineOf(language, note)}</span>
        {detail !== '' && <span className="quality-detail"> {detail}</span>}
        <div className="quiet small">
          {seriesName(language, { number: note.series_number, description: note.series_description })}
        </div>
        {advice !== null && <div className="small">{advice}</div>}
      </div>
    </li>
  );
}
