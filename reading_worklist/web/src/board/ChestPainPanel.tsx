import { Link } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { ChestPainInterval } from '../api/types';
import { useChestPain } from '../emergency/queries';
import { useLanguage } from '../i18n/language';
import { monthOf, shareOf, spanOf } from '../portal/statistics';

/** How often this month's chest-pain ECGs were in time; the way to the ECGs behind the figures. */
export function ChestPainPanel() {
  const { t } = useLanguage();
  const { data } = useChestPain(monthOf(serverNow()));
  if (data === undefined) return null;
  return (
    <section className="board-panel board-chest-pain">
      <h2>
        <Link to="/chest-pain">{t('board.chestPain')}</Link>
      </h2>
      {data.ecgs === 0 ? (
        <p className="board-fine">{t('board.chestPain.none')}</p>
      ) : (
        <dl>
          <Interval name={t('board.chestPain.contact')} interval={data.contact_to_ecg} />
          <Interval name={t('board.chestPain.diagnosis')} interval={data.ecg_to_diagnosis} />
        </dl>
      )}
    </section>
  );
}

function Interval({ name, interval }: { name: string; interval: ChestPainInterval }) {
  const { t, language } = useLanguage();
  const { rate, wanted } = interval;
  const missed = wanted !== null && rate.value !== null && rate.value < wanted;
  return (
    <div>
      <dt>{name}</dt>
      <dd className={missed ? 'board-missed' : undefined}>{shareOf(rate)}</dd>
      <dd className="board-when">{t('board.chestPain.mean', { time: spanOf(language, interval.mean_seconds) })}</dd>
    </div>
  );
}
