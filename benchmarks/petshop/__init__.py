"""Which service is at fault in a real application: the issues of the PetShop data set."""
