import { Button, Skeleton } from 'antd';

import type { Measurement } from '../../api/types';
import { ProblemNotice } from '../../design/Notice';
import { useLanguage } from '../../i18n/language';
import { useInsert } from '../insertions';
import { findingText, imageText, measurementPhrase, valuesText } from './phrase';
import { pictureOf } from './picture';
import { useMeasurements } from './queries';

/** What was measured in the viewer, each with the sentence that it makes in the findings. */
export function MeasurementList({ id }: { id: string }) {
  const { t } = useLanguage();
  const { data, error, isError, refetch } = useMeasurements(id);
  return (
    <section className="measured" aria-labelledby="measured-heading">
      <h3 id="measured-heading">{t('measured.title')}</h3>
      {isError && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && !isError && <Skeleton active paragraph={{ rows: 2 }} />}
      {data?.length === 0 && <p className="quiet small">{t('measured.none')}</p>}
      {data !== undefined && data.length > 0 && (
        <ul>
          {data.map((one, at) => (
            <Line key={`${one.report} ${String(at)}`} measurement={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ measurement }: { measurement: Measurement }) {
  const { t, language } = useLanguage();
  const insert = useInsert();
  const { image } = measurement;
  const finding = findingText(measurement);
  return (
    <li className="measured-line">
      {image !== null && <img src={pictureOf(image.picture_url, 96)} alt="" width={56} height={56} loading="lazy" />}
      <div>
        {finding !== '' && <strong>{finding}</strong>}
        <span>{valuesText(language, measurement)}</span>
        {image !== null && <span className="quiet small">{imageText(language, image)}</span>}
        {insert !== null && (
          <Button
            size="small"
            onClick={() => insert({ field: 'findings', text: measurementPhrase(language, measurement) })}
          >
            {t('measured.insert')}
          </Button>
        )}
      </div>
    </li>
  );
}
