"""The earlier studies of the patient who is being read, from every site that shows them."""
