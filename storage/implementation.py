"""How we name ourselves to peers and in file meta information (PS3.7 D.3.3.2)."""

from typing import Final

# UUID-derived (PS3.5 B.2), drawn once for this implementation.
IMPLEMENTATION_CLASS_UID: Final = "2.25.12378123308795405828237985038834143156"
IMPLEMENTATION_VERSION_NAME: Final = "RDC_0_1"
