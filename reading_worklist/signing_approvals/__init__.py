"""How somebody who was approved for signing makes his own key, with a PIN that he alone knows."""
