nucgrow info
