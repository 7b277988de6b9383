// RUN: lamina-opt %s | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @hexadecimal_is_the_bits_of_a_float_and_the_value_of_an_integer
// CHECK-NEXT: dense<0x4B400000> : vector<4xf32>
// CHECK-NEXT: dense<[0xff800000, 1.000000e+00]> : vector<2xf32>
// CHECK-NEXT: dense<1.500000e+00> : vector<2xf16>
// CHECK-NEXT: dense<-1.000000e+00> : vector<2xf64>
// CHECK-NEXT: dense<31> : vector<2xi32>
func.func @hexadecimal_is_the_bits_of_a_float_and_the_value_of_an_integer() {
  %a = arith.constant dense<0x4B400000> : vector<4xf32>
  %b = arith.constant dense<[0xFF800000, 1.0]> : vector<2xf32>
  %c = arith.constant dense<0x3E00> : vector<2xf16>
  %d = arith.constant dense<0xBFF0000000000000> : vector<2xf64>
  %e = arith.constant dense<0x1F> : vector<2xi32>
  func.return
}
