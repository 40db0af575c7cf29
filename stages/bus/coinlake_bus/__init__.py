"""How captures travel from the lake to whoever refines them: messages, and the bus that carries them."""
