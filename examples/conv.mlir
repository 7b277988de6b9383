// A convolution with bias and activation, as the compiler outlines it: channels in blocks of 16, a
// border of zeros around the input, the weights packed in the order the kernel reads them.
func.func private @conv(
    %x: tensor<1x64x56x56xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>,
    %w: tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>,
    %bias: tensor<64xf32>) -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>> {
  %t = graph.conv2d %x, %w bias %bias strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x64x56x56xf32, #graph.layout<NCHW16c, halo [1:1, 1:1]>>, tensor<64x64x3x3xf32, #graph.layout<OIHW16i32o>>, tensor<64xf32>) -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
  %y = graph.relu %t : tensor<1x64x56x56xf32, #graph.layout<NCHW16c>> -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
}
